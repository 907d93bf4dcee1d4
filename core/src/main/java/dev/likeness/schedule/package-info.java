/** Noise levels and steps of flow matching and of denoising diffusion, as pure functions on doubles. */
package dev.likeness.schedule;
