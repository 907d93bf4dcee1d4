/** Pictures and texts -> vectors that are compared: CLIP and DINO, with the preprocessing that goes with them. */
package dev.likeness.features;
