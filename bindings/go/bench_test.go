// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"testing"
)

func BenchmarkNullCall(b *testing.B) {
	ctx := context.Background()
	session, err := OpenSession(ctx, &SessionOptions{DataDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	index, err := session.CreateIndex(ctx, &IndexOptions{Dimension: 2})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for range b.N {
		if _, err := index.Call(ctx, "health", nil); err != nil {
			b.Fatal(err)
		}
	}
}
