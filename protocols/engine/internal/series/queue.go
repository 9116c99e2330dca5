package series

// queue is a first-in first-out line whose places are numbered for good: the
// first item ever pushed has place 0. It grows to the most it has held, little
// by little, and then allocates no more.
type queue[T any] struct {
	ring       []T
	start      int // where the item at head is in the ring
	head, tail uint64
}

func (q *queue[T]) length() int { return int(q.tail - q.head) }

// at returns the item at a place from head up to, but not including, tail.
func (q *queue[T]) at(place uint64) *T { return &q.ring[q.index(place)] }

func (q *queue[T]) index(place uint64) int {
	i := q.start + int(place-q.head)
	if i >= len(q.ring) {
		i -= len(q.ring)
	}
	return i
}

func (q *queue[T]) push(item T) {
	if q.length() == len(q.ring) {
		q.grow()
	}
	q.tail++
	*q.at(q.tail - 1) = item
}

// drop forgets the first item.
func (q *queue[T]) drop() {
	q.head++
	if q.start++; q.start == len(q.ring) {
		q.start = 0
	}
}

// grow makes room for some more: a few items at first, an eighth of many.
func (q *queue[T]) grow() {
	ring := make([]T, len(q.ring)+max(4, len(q.ring)/8))
	for place := q.head; place < q.tail; place++ {
		ring[place-q.head] = *q.at(place)
	}
	q.ring, q.start = ring, 0
}

// clear forgets all items; places begin at 0 again.
func (q *queue[T]) clear() { q.start, q.head, q.tail = 0, 0, 0 }
