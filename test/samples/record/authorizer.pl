# An authorizer (FastCGI specification 6.3) on libfcgi: alice may, everybody else may not.
use strict;
use warnings;
use FCGI;
use MIME::Base64;

my $socket = FCGI::OpenSocket("127.0.0.1:$ARGV[0]", 5);
my %params;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%params, $socket);
while ($request->Accept() >= 0) {
    my ($credentials) = ($params{HTTP_AUTHORIZATION} // '') =~ /^Basic (.*)/;
    my ($user) = split /:/, decode_base64($credentials // '');
    # mod_authnz_fcgi takes the credentials apart itself.
    $user = $params{REMOTE_USER} // $user // '';
    if ($user eq 'alice') {
        print "Status: 200\r\nVariable-REMOTE_USER: alice\r\nVariable-GROUP: staff\r\n\r\n";
    } else {
        print STDERR "no access for '$user'\n";
        print "Status: 401\r\nWWW-Authenticate: Basic realm=\"staff\"\r\nContent-Type: text/plain\r\n\r\nStaff only.\n";
    }
}
