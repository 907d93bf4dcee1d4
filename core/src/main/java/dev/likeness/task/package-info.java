/** What a user asks for, each a recipe along the flow of the data. */
package dev.likeness.task;
