/** What a front end was asked for, filled up with what suits the model: shared by the command line and the server. */
package dev.likeness.request;
