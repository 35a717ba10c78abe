// Package without leaves out one part of the coherence protocol, so that tests can show that it is needed, and that
// they would notice. Each part is a constant, false, and costs nothing: only a build with the tag "without", which
// nobody ships, makes variables of them, which the environment variable CACHEGEN_WITHOUT sets: a comma-separated list of their names. Run such
// tests with -count=1, since go test does not see that the variable is read.
package without
