/**
 * The conditional U-Net of Stable Diffusion. Axes: B batch, C channels, h rows and w columns of a level's grid, N = h w its
 * tokens, L text tokens, H heads, D head width.
 */
package dev.likeness.model.unet;
