/** Vision transformers trained without labels: DINO (a ViT) and DINOv2. */
package dev.likeness.model.dino;
