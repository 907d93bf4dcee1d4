/** What is done inside attention with the reference's tokens. */
package dev.likeness.inject;
