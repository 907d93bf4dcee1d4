/** CLIP's text model. */
package dev.likeness.model.clip;
