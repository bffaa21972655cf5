package spelling

import "testing"

func TestHint(t *testing.T) {
	networks := []string{"mlp", "lenet", "cnn", "resnet20"}
	for _, c := range []struct {
		got   string
		names []string
		want  string
	}{
		{"lenett", networks, " (did you mean lenet?)"},
		{"resnet", networks, " (did you mean resnet20?)"}, // not lenet, two letters away
		{"ResNet20", networks, " (did you mean resnet20?)"},
		{"vgg", networks, ""},
		{"x", networks, ""},
		{"", networks, ""},
		{"weight", []string{"features", "weights", "biases"}, " (did you mean weights?)"},
		{"temprature", []string{"temperature", "tempering"}, " (did you mean temperature?)"},
		{"rate", []string{"lr", "learning-rate"}, " (did you mean learning-rate?)"},
		{"lenet", nil, ""},
	} {
		if got := Hint(c.got, c.names); got != c.want {
			t.Errorf("Hint(%q) = %q, want %q", c.got, got, c.want)
		}
	}
}
