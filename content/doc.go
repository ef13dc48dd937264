// Package content is the book: chapters, scenes and the glossary, as text
// files that are embedded, and the loader that refuses what is not sound.
//
//   - A Chapter is a folder: one Markdown file per language (en.md, ko.md) and
//     scene.yaml, which holds everything that is not language.
//   - The Outline is every row the book is about, written or still to come; a
//     chapter says which rows it covers.
//   - A Step is a section of a chapter, `## Heading {#id}`. Every language has
//     the same ids in the same order.
//   - A fact is a CEL expression over one watch.Event. It is true of an event or
//     it is not; a step is reached when its fact has been true once. Facts never
//     name seconds.
//   - A Trail follows one run through the log and finds the event that made each
//     fact true. What a fact captures from its event (a uid, a revision, a node)
//     later facts and captions may use.
//   - A term is an entry of the glossary. In a text it is a link,
//     `[etcd](term:etcd)`; on the page it lights its components on the stage.
//   - A prediction asks before the run; which option was right is decided by the
//     event of a step, not by the author.
//   - A checkpoint is a list of facts the learner has to bring about alone.
//
// Languages are equal: a chapter that lacks one, or a step in one, does not load.
package content
