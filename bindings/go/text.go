// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// An Embedder makes a vector of each text, with the model that made those of the index.
type Embedder func(ctx context.Context, texts []string) (Vectors, error)

// SetEmbedder sets what makes vectors of text queries from now on; nil: nothing does.
func (x *Index) SetEmbedder(embedder Embedder) {
	switch {
	case x == nil: // was never opened, as its searches say
	case embedder == nil:
		x.embedder.Store(nil)
	default:
		x.embedder.Store(&embedder)
	}
}

type textQuery []string

// Text is a query of texts, which the index's Embedder makes vectors of. An index without one refuses it with
// ErrPromptUnsupported, naming its model.
func Text(texts ...string) Query { return textQuery(texts) }

func (t textQuery) part() field {
	if len(t) == 1 {
		return field{"text", t[0]}
	}
	return field{"text", []string(t)}
}
func (textQuery) isQuery() {}

// embed makes vectors of a text query where there is an Embedder, and leaves any other as it is.
func (x *Index) embed(ctx context.Context, query Query) (Query, error) {
	texts, ok := query.(textQuery)
	if !ok || x == nil {
		return query, nil
	}
	embedder := x.embedder.Load()
	if embedder == nil {
		return query, nil
	}
	vectors, err := (*embedder)(ctx, texts)
	return vectors, err
}
