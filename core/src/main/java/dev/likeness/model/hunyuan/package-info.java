/** HunyuanDiT's transformer. */
package dev.likeness.model.hunyuan;
