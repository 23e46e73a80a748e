# Answers with the number and the length of the params: a responder on libfcgi, which takes pairs that are split across records.
use strict;
use warnings;
use FCGI;

my $socket = FCGI::OpenSocket("127.0.0.1:$ARGV[0]", 5);
my %params;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%params, $socket);
while ($request->Accept() >= 0) {
    my $bytes = 0;
    $bytes += length($_) + length($params{$_}) for keys %params;
    printf "Content-Type: text/plain\r\n\r\n%d params, %d bytes\n", scalar(keys %params), $bytes;
}
