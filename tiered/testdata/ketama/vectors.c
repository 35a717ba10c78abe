/* Prints where libmemcached's weighted ketama puts keys: the golden vectors of ring_test.go.
 *
 *   apt-get install -y libmemcached-dev
 *   cc -o /tmp/vectors vectors.c -lmemcached && /tmp/vectors > vectors.txt
 *
 * A line "ring host:port*weight ..." begins a list of servers; each line after it is a key and the
 * index of its server in that list.
 */
#include <libmemcached/memcached.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct server { const char *host; in_port_t port; uint32_t weight; };

static void print_ring(const struct server *servers, int n) {
	memcached_st *m = memcached_create(NULL);
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA);
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	printf("ring");
	for (int i = 0; i < n; i++) {
		memcached_server_add_with_weight(m, servers[i].host, servers[i].port, servers[i].weight);
		printf(" %s:%u*%u", servers[i].host, servers[i].port, servers[i].weight);
	}
	printf("\n");
	for (int k = 0; k < 400; k++) {
		char key[64];
		int length = snprintf(key, sizeof key, "key-%d-%d", n, k * 7919);
		printf("%s %u\n", key, memcached_generate_hash(m, key, (size_t)length));
	}
	memcached_free(m);
}

int main(void) {
	struct server many[40];
	static char hosts[40][32];
	/* Equal weights, the usual port and others; some numbers of servers make libmemcached's
	   single precision lose a hash a server. */
	const int counts[] = {2, 3, 4, 5, 6, 7, 10, 13, 20, 23, 40};
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		for (int i = 0; i < counts[c]; i++) {
			snprintf(hosts[i], sizeof hosts[i], "10.0.%d.%d", counts[c], i + 1);
			many[i] = (struct server){hosts[i], (in_port_t)(c % 2 ? 11211 : 11300 + i), 1};
		}
		print_ring(many, counts[c]);
	}
	const struct server weighted[] = {{"10.1.0.1", 11211, 1}, {"10.1.0.2", 11211, 2}, {"10.1.0.3", 11212, 5}};
	print_ring(weighted, 3);
	const struct server uneven[] = {{"a.example", 11211, 100}, {"b.example", 11211, 33}, {"c.example", 11213, 7}, {"d.example", 11211, 100}, {"e.example", 11214, 61}};
	print_ring(uneven, 5);
	return 0;
}
