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
//   - An assertion is a claim of the text over a whole run. It is judged by the
//     log at the end of each.
//   - A checkpoint is what the learner has to bring about alone: facts of the log
//     (`fact`), in order, and facts about the cluster as it is (`holds`).
//   - A Course is a folder of chapters of somebody's own.
//
// # scene.yaml
//
//	order: 421                  place in the book
//	covers: ["4.2.1-etcd"]      rows of outline.yaml
//	within: 90s                 how long a run may take, from its first step
//	alone: true                 nothing may run beside it; follows by itself from an order, and from cordon, uncordon, drain, taint
//	setup: [ACTION…]            before the story; has to succeed
//	steps:
//	  - id: stored              the section {#stored} of every language
//	    run: kubectl create -f -   an ACTION: done when all steps before are reached
//	    stdin: |                   and the command before has ended; no namespace in it
//	    refused: true              it has to fail
//	    order: stop kube-scheduler instead of run: stop|kill|freeze|thaw|start COMPONENT, cut|delay|heal LINK
//	    after: ID               the step whose event this fact follows, if not the one above
//	    focus: etcd             the term that lights
//	    fact: CEL               over `event` and `detail`, with ns and what was captured
//	    capture: [{name: r1, is: event.revision}]
//	reset: [ACTION…]            what lies outside the namespace; may fail
//	asserts: [{says: {en, ko}, is: CEL}]   over `run` (maps with e.seq, e.kind … e.detail), at.STEP, ns, captures
//	predict: {at: STEP, options: [{id, when: CEL}]}
//	checkpoint:
//	  - {id: made, fact: CEL}   of the log, each behind the one before, or behind that of after: ID
//	  - {id: runs, holds: 'object("pods", "duo").status.phase == "Running"'}   also objects("pods"), cluster("nodes")
//	solution: [ACTION…]         passes the checkpoint
//	wrong: [ACTION…]            comes to the same another way, and does not pass
//	lines:                      kubectl lines of the text that cannot simply be run
//	  - {line: kubectl get pod gone, fails: true}
//	  - {line: kubectl exec -it web -- sh, skip: needs a terminal}
//
// A scene runs in a namespace of its learner's own. {ns} and {captures} may stand
// in commands, manifests (quote them: "{ns}-b"), orders and captions.
//
// Every kubectl line in the text, `inline` or in a fenced block, is run by a test
// in that namespace after the solution, and has to succeed (or find nothing any
// more). A line with a blank, as in `kubectl logs POD` or `<pod>`, is not run.
//
// Links are [word](term:etcd), [text](chapter:ID#section), [text](row:4.2.1) and
// https:.
//
// Languages are equal: a chapter that lacks one, or a step in one, does not load.
package content
