// Package notes reads a person's own Markdown files so that they can stand
// beside the stage. It changes nothing and loses nothing:
//
//   - A Folder is the directory a person mounted. Files are read only, and only
//     inside it.
//   - A Note is one file, cut into Blocks. Every line of the file is in exactly
//     one block, so Export gives back the file byte by byte.
//   - A Block is what a run of lines is: a heading, a list, a command with what it
//     printed, a manifest … Notes are written by people, so the reader knows more
//     habits than Markdown does: headings that are only numbers, bullets that are
//     dots, output pasted behind a prompt, fences that begin in the middle of a
//     line.
//   - A Remark is what a reader should know of a line: that a manifest does not
//     decode, that a flag begins with a dash no program understands. A remark
//     proposes; the text stays as it is.
//
// Nothing in a note is trusted: what is shown is escaped text and markup made
// here, never the note's own.
package notes
