/** The network that judges Toybox's pictures. */
package dev.likeness.model.classifier;
