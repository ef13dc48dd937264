package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/kubestage/kubestage/content"
)

// checkContent is `dashboard content check DIR`: what is wrong with a course,
// a line a mistake, and exit status 1 when there is one.
func checkContent(args []string, stdout io.Writer) error {
	if len(args) != 2 || args[0] != "check" {
		return errors.New("it is `dashboard content check DIR`, where DIR holds chapters/ or is that folder; docs/writing.md says what is in it")
	}
	problems, chapters, err := content.Check(args[1])
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(stdout, p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%s: %s", args[1], count(len(problems), "problem"))
	}
	fmt.Fprintf(stdout, "%s: %s, nothing wrong\n", args[1], count(chapters, "chapter"))
	return nil
}

func count(n int, of string) string {
	if n != 1 {
		of += "s"
	}
	return fmt.Sprintf("%d %s", n, of)
}
