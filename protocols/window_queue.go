package protocols

// queue is a first-in first-out line whose places are numbered for good: the
// first item ever pushed has place 0. It grows to the most it has held and then
// allocates no more.
type queue[T any] struct {
	ring       []T // its length is zero or a power of two
	head, tail uint64
}

func (q *queue[T]) length() int { return int(q.tail - q.head) }

// at returns the item at a place from head up to, but not including, tail.
func (q *queue[T]) at(place uint64) *T { return &q.ring[place&uint64(len(q.ring)-1)] }

func (q *queue[T]) push(item T) {
	if q.length() == len(q.ring) {
		q.grow()
	}
	q.tail++
	*q.at(q.tail - 1) = item
}

func (q *queue[T]) grow() {
	old := *q
	q.ring = make([]T, max(8, 2*len(old.ring)))
	for place := old.head; place < old.tail; place++ {
		*q.at(place) = *old.at(place)
	}
}

// clear forgets all items; places begin at 0 again.
func (q *queue[T]) clear() { q.head, q.tail = 0, 0 }
