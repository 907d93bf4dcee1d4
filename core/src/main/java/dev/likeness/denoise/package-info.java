/** The denoising loop: its listeners, cancellation, and where injection comes in. */
package dev.likeness.denoise;
