/** BERT's encoder. */
package dev.likeness.model.bert;
