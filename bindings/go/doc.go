// SPDX-License-Identifier: Apache-2.0

// Package simplugin is vector-similarity search with the backend chosen at run time: the index of FiftyOne's brain on
// an embedded exact store, on Milvus, on Qdrant or on any other backend, by what is configured.
//
// It calls the C library simplugin, found by pkg-config, and has no semantics of its own: what a call does, and what the zero
// values of options stand for, is written in docs/protocol.md, whose names it uses.
//
// # Objects
//
// A [Session] has a configuration and a data directory; the functions of the package use the default one. From it come
// an [Index], by [Session.CreateIndex], [Session.OpenIndex] or [Session.LoadRun], and a [Connection]; from an index a [View] and a [Scan]; and a
// [Copy] brings the points of one into another. They close when they are garbage, or by Close, which may be called again;
// one that is closed answers with [ErrStaleHandle]. All may be used by several goroutines at once.
//
// # Contexts
//
// The deadline of a context is the call's, and goes to the server too; its end cancels the call, also one that waits for a server.
// A call whose context has no deadline has the backend's parameter timeout_ms, or a minute.
//
// # Memory
//
// Vectors are read where they lie, without a copy, and must not be written to during the call. What a call returns is
// Go's memory. Texts of one result share one string.
//
// # Errors
//
// They are [*Error], with a [Code]: errors.Is(err, simplugin.ErrNotFound). One of a context that ended is also context.Canceled or
// context.DeadlineExceeded.
package simplugin
