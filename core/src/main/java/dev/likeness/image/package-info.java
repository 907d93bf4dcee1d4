/**
 * Pictures and masks between files and memory: decoding with the camera's orientation, resampling, morphology, PNG with
 * text. Sizes are pixels, width before height; x runs right, y down.
 */
package dev.likeness.image;
