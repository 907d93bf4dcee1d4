/** CLIP: the text model that FLUX.1 uses, the vision model, and the space they share. */
package dev.likeness.model.clip;
