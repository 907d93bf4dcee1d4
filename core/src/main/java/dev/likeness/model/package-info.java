/** What every network shares: reading config.json; positions of vision transformers. */
package dev.likeness.model;
