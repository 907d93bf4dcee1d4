/** Training Toybox from nothing: data, losses, optimiser, loops that survive being stopped. */
package dev.likeness.train;
