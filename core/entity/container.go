package entity

import (
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// containerCost is what a container takes besides its text, in bytes.
const containerCost = 448

// container is the cell of a container. Without a row it stands for one that only processes know.
type container struct {
	id    string
	row   *ContainerRow
	pod   *cell[pod] // nil if the container is in none
	procs int        // processes that refer to it
}

// putContainer replaces or adds a container. A record that says nothing new only counts as use.
func (t *Table) putContainer(rec *codec.Record) {
	k := &rec.Container
	c := t.conts[string(k.ID)]
	if c != nil && c.listed() && c.e.row.says(k) {
		t.touchContainer(c)
		return
	}
	if c == nil {
		c = t.newContainer(k.ID)
	}
	t.gen++
	pod := t.linkPod(k.PodID)
	t.dropContainer(c)
	c.e.row, c.e.pod = newContainerRow(rec.SysFlow().Rec.Container), pod
	c.cost = containerCost + len(k.ID) + len(k.Name) + len(k.Image) + len(k.ImageID) + len(k.PodID.Bytes)
	t.contLRU.add(c)
	t.touchContainer(c)
	for s := t.contLRU.surplus(); s != nil; s = t.contLRU.surplus() {
		t.stats.Evicted[Container]++
		t.forgetContainer(s)
	}
}

func (t *Table) newContainer(id []byte) *cell[container] {
	c := &cell[container]{e: container{id: string(id)}}
	t.conts[c.e.id] = c
	return c
}

// linkContainer returns the cell of the container with the given id, with one process more that refers to it; nil if
// there is no id.
func (t *Table) linkContainer(id codec.Optional) *cell[container] {
	if !id.Valid || len(id.Bytes) == 0 {
		return nil
	}
	c := t.conts[string(id.Bytes)]
	if c == nil {
		c = t.newContainer(id.Bytes)
	}
	c.e.procs++
	return c
}

// releaseContainer takes one process from a container.
func (t *Table) releaseContainer(c *cell[container]) {
	c.e.procs--
	if c.e.procs == 0 && !c.listed() {
		delete(t.conts, c.e.id)
	}
}

// dropContainer takes the row from a cell, if it has one.
func (t *Table) dropContainer(c *cell[container]) {
	if !c.listed() {
		return
	}
	t.contLRU.remove(c)
	pod := c.e.pod
	c.e.row, c.e.pod = nil, nil
	if pod != nil {
		t.releasePod(pod)
	}
}

// forgetContainer evicts a container. Its cell stays as long as processes refer to it.
func (t *Table) forgetContainer(c *cell[container]) {
	t.dropContainer(c)
	if c.e.procs == 0 {
		delete(t.conts, c.e.id)
	}
}

// touchContainer counts a container, if it is known, and its pod as used.
func (t *Table) touchContainer(c *cell[container]) {
	if !c.listed() {
		return
	}
	t.contLRU.touch(c)
	if c.e.pod != nil && c.e.pod.listed() {
		t.podLRU.touch(c.e.pod)
	}
}

// setContainer fills in a container and its pod, as far as they are known.
func (t *Table) setContainer(c *cell[container]) {
	if !c.listed() {
		return
	}
	t.res.Container = c.e.row
	if c.e.pod != nil {
		t.res.Pod = c.e.pod.e.row
	}
}

// containerName returns the table's own copy of a container's id, if it has one.
func (t *Table) containerName(id []byte) (name string, ok bool) {
	if c := t.conts[string(id)]; c != nil {
		return c.e.id, true
	}
	return "", len(id) == 0
}

// says tells whether the record k says what the row does.
func (r *ContainerRow) says(k *codec.Container) bool {
	c := r.SysFlow
	return c.Name == string(k.Name) && c.Image == string(k.Image) && c.Imageid == string(k.ImageID) &&
		c.Type == sfgo.ContainerType(k.Type) && c.Privileged == k.Privileged &&
		c.PodId.String == string(k.PodID.Bytes) &&
		(c.PodId.UnionType == sfgo.PodIdUnionTypeEnumString) == k.PodID.Valid
}

func newContainerRow(c *sfgo.Container) *ContainerRow {
	return &ContainerRow{
		Ints:    [2]int64{int64(c.Type), bit(c.Privileged)},
		Strs:    [5]string{c.Id, strings.TrimSpace(c.Name), imageName(c.Image), c.Imageid, c.PodId.String},
		SysFlow: c,
	}
}

// imageName returns the name of an image. Name and tag are glued together by the collector: where both are unknown, only
// the glue is left.
func imageName(image string) string {
	image = strings.TrimSpace(image)
	if image == ":" || image == "/" {
		return ""
	}
	return image
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
