package program

import (
	"sync"
)

// Memory is the account of what the programs of a container hold. Programs
// share one Go process, in which nobody can tell whose an object is; so each
// program that holds more than a little says so, before it does. Like a memory
// control group, an account over its limit ends the container.
type Memory struct {
	node    *Memory // all containers of the node, whose limit is the node's
	exhaust func()  // ends the container; nil for a node

	mu    sync.Mutex // guards all below
	limit int64      // 0 is none
	used  int64
}

// NewMemory makes an account; exhaust is called when it is over its limit or the node's.
func NewMemory(limit int64, node *Memory, exhaust func()) *Memory {
	return &Memory{node: node, limit: limit, exhaust: exhaust}
}

// SetLimit changes the limit; what is held already is not looked at until more is asked for.
func (m *Memory) SetLimit(limit int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = limit
}

// Used is how many bytes are held.
func (m *Memory) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

// Take asks for memory. False means that there is no more, and that the container ends.
func (m *Memory) Take(n int64) bool {
	ok := m.take(n)
	if ok && m.node != nil && !m.node.take(n) {
		m.take(-n)
		ok = false
	}
	if !ok {
		m.exhaust()
	}
	return ok
}

func (m *Memory) take(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > 0 && m.limit > 0 && m.used+n > m.limit {
		return false
	}
	m.used += n
	return true
}

// Give returns memory.
func (m *Memory) Give(n int64) {
	m.take(-n)
	if m.node != nil {
		m.node.take(-n)
	}
}

// processMemory is what a program holds that only waits: measured, see TestCost.
const processMemory = 64 << 10

// Hold asks for memory that is the process's until it releases it or ends.
func (p *Process) Hold(n int64) bool {
	if !p.Memory.Take(n) {
		return false
	}
	p.mu.Lock()
	p.held += n
	p.mu.Unlock()
	return true
}

// Release gives back what the process held.
func (p *Process) Release(n int64) {
	p.mu.Lock()
	n = min(n, p.held)
	p.held -= n
	p.mu.Unlock()
	p.Memory.Give(n)
}

func (p *Process) holds() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// blocks are memory that a program really has: pages that were written to.
type blocks struct {
	p     *Process
	pages [][]byte
}

// grow adds n bytes. False means that the container ends for it.
func (b *blocks) grow(n int64) bool {
	if !b.p.Hold(n) {
		return false
	}
	pages, err := newPages(int(n))
	if err != nil { // the machine has no more: like a node that is out of memory
		b.p.Memory.exhaust()
		return false
	}
	for i := 0; i < len(pages); i += 4096 {
		pages[i] = 1
	}
	b.pages = append(b.pages, pages)
	return true
}

func (b *blocks) free() {
	for _, pages := range b.pages {
		b.p.Release(int64(len(pages)))
		freePages(pages)
	}
	b.pages = nil
}
