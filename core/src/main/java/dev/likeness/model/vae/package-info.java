/** The autoencoder between pixels and latents. */
package dev.likeness.model.vae;
