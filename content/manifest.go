package content

import (
	"fmt"
	"regexp"

	"sigs.k8s.io/yaml"
)

var documentLine = regexp.MustCompile(`(?m)^---\s*$`)

// checkManifest refuses what kubectl would refuse before it sends anything. That
// every field exists is shown by the test that runs the scene.
func checkManifest(text string) error {
	n := 0
	for _, doc := range documentLine.Split(text, -1) {
		var o struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct {
				Name         string `json:"name"`
				GenerateName string `json:"generateName"`
				Namespace    string `json:"namespace"`
			} `json:"metadata"`
		}
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			return fmt.Errorf("the manifest does not decode: %w", err)
		}
		if o.Metadata.Name == "" {
			o.Metadata.Name = o.Metadata.GenerateName
		}
		if o.APIVersion == "" && o.Kind == "" && o.Metadata.Name == "" {
			continue // an empty document, as before a leading ---
		}
		if o.Metadata.Namespace != "" {
			return fmt.Errorf("%s %s names the namespace %s: leave it out, a scene runs in the learner's own", o.Kind, o.Metadata.Name, o.Metadata.Namespace)
		}
		if o.Kind == "List" && o.APIVersion == "v1" {
			n++
			continue
		}
		if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" {
			return fmt.Errorf("the manifest needs apiVersion, kind and metadata.name (has %q, %q, %q)", o.APIVersion, o.Kind, o.Metadata.Name)
		}
		n++
	}
	if n == 0 {
		return fmt.Errorf("the manifest holds no object")
	}
	return nil
}
