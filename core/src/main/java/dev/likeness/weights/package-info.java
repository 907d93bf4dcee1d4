/** Weights on disk and how networks take them: safetensors, prefix views, manifests. */
package dev.likeness.weights;
