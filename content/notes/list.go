package notes

import "strings"

// Item is one entry of a list and how deep it stands, from 0.
type Item struct {
	Depth int
	Text  string
}

// Asks reports whether the entry is a question its writer left open.
func (i Item) Asks() bool {
	return questionEnd.MatchString(i.Text) && !strings.HasSuffix(i.Text, "니까")
}

// deepestItem is the depth from which on lists are shown no deeper.
const deepestItem = 6

// Items reads the lines of a list. Depth comes from the columns the writer used,
// whatever their step is; a line without a bullet goes on the one above.
func (b *Block) Items() (out []Item) {
	var columns []int
	for _, l := range b.Lines {
		column, rest := indent(l)
		text, bullet := cutBullet(rest)
		if !bullet && len(out) > 0 {
			out[len(out)-1].Text += "\n" + text
			continue
		}
		for len(columns) > 0 && columns[len(columns)-1] >= column {
			columns = columns[:len(columns)-1]
		}
		out = append(out, Item{min(len(columns), deepestItem), text})
		columns = append(columns, column)
	}
	return out
}

func cutBullet(text string) (rest string, ok bool) {
	for _, mark := range []string{"•", "‣", "◦", "▪", "*", "+", "-", "–", "—"} {
		if rest, ok := strings.CutPrefix(text, mark+" "); ok {
			return strings.TrimSpace(rest), true
		}
	}
	number := strings.TrimLeft(text, "0123456789")
	if len(number) < len(text) && len(number) > 1 && (number[0] == '.' || number[0] == ')') && number[1] == ' ' {
		return text, true // its number is part of what is said
	}
	return text, false
}
