/** From a reference image to the noise and the trajectory that lead back to it. */
package dev.likeness.inversion;
