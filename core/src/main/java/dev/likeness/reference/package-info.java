/** The reference subjects: where their tokens are and where they go, how they are named and listed. */
package dev.likeness.reference;
