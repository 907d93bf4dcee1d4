/**
 * The only place that calls libtorch's global functions: operations, scopes, noise, devices.
 *
 * <p>Axis letters used in shape comments throughout the project: B batch, N image tokens, L text tokens,
 * S all tokens of a joint sequence, H heads, D head width, d model width, C channels; h and w are rows and
 * columns (of pixels, latents or tokens, as the comment says).
 */
package dev.likeness.tensor;
