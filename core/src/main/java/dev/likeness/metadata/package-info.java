/** The record of a generation: what made a picture, written into its PNG file and read back. */
package dev.likeness.metadata;
