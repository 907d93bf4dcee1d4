/** Prompts to embeddings. */
package dev.likeness.text;
