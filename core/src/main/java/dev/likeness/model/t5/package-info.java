/** T5's encoder. */
package dev.likeness.model.t5;
