/** The FLUX.1 diffusion transformer and the hooks that its forward pass takes. */
package dev.likeness.model.flux;
