/** The reference subject: where its tokens are and where they go. */
package dev.likeness.reference;
