/**
 * Training pictures with captions, made of emoji sprites on painted scenes with Java2D alone.
 * {@link dev.likeness.train.data.ToyboxData} is the way in.
 */
package dev.likeness.train.data;
