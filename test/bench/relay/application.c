/* The backend of the relay benchmark: as fast as a FastCGI application gets, so that the relay is what is measured.
   `?mb=N` answers N MiB, `?fail` says on STDERR that it failed, anything else is answered with about a hundred bytes. */
#include <fcgi_stdio.h>
#include <stdlib.h>
#include <string.h>

static char block[65536];

int main(void) {
  memset(block, 'x', sizeof block);
  while (FCGI_Accept() >= 0) {
    const char *query = getenv("QUERY_STRING");
    long blocks = query && !strncmp(query, "mb=", 3) ? atol(query + 3) * 16 : 0;
    if (query && !strcmp(query, "fail")) fprintf(stderr, "PHP message: PHP Fatal error:  it is said so\n");
    printf("Content-Type: text/plain\r\n\r\n");
    if (blocks == 0) printf("hello from the backend: a small answer, about as long as the one of an interface that says yes\n");
    while (blocks-- > 0) fwrite(block, 1, sizeof block, stdout);
  }
  return 0;
}
