/** Noise levels and steps of flow matching, as pure functions on doubles. */
package dev.likeness.schedule;
