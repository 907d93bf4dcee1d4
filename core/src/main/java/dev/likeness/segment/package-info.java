/** Subject masks: from the model's own attention, by GrabCut, by an ONNX network. */
package dev.likeness.segment;
