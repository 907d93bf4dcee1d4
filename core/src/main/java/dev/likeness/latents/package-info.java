/** Between pixels and packed tokens. */
package dev.likeness.latents;
