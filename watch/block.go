package watch

import (
	"bytes"
	"compress/flate"
	"fmt"
)

// blockEvents is how many events are packed together: enough to repeat
// themselves, few enough to be unpacked for the sake of one.
const blockEvents = 128

// block is blockEvents lines, packed.
type block struct {
	packed []byte
	length int // of the lines with their ends
}

func (b block) size() int { return len(b.packed) + 64 }

// packer is one compressor, used again and again: a new one is a megabyte.
type packer struct {
	writer *flate.Writer
	buffer bytes.Buffer
}

func (p *packer) pack(entries []entry) block {
	p.buffer.Reset()
	if p.writer == nil {
		p.writer, _ = flate.NewWriter(nil, flate.BestSpeed) // an error means a level that is none
	}
	p.writer.Reset(&p.buffer)
	length := 0
	for _, e := range entries {
		p.writer.Write(e.line) // a bytes.Buffer takes everything
		p.writer.Write(lineEnd)
		length += len(e.line) + 1
	}
	p.writer.Close()
	return block{bytes.Clone(p.buffer.Bytes()), length}
}

var lineEnd = []byte("\n")

// unpack returns the lines, without their ends.
func (b block) unpack() [][]byte {
	text := bytes.NewBuffer(make([]byte, 0, b.length+bytes.MinRead))
	if _, err := text.ReadFrom(flate.NewReader(bytes.NewReader(b.packed))); err != nil {
		panic(fmt.Sprintf("watch: a block of the log is damaged: %v", err)) // it was in memory all the time
	}
	lines := bytes.Split(text.Bytes(), lineEnd)
	return lines[:blockEvents]
}
