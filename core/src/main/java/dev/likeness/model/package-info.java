/** What every network shares: reading config.json. */
package dev.likeness.model;
