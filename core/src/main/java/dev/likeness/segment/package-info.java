/** Where the subject of a picture is, when no mask is given. */
package dev.likeness.segment;
