#!/usr/bin/perl
# Draw a picture with GD::SecurityImage (Debian: libgd-securityimage-perl): draw_gd_security_image.pl TEXT FILE
use strict;
use warnings;
use GD::SecurityImage;

my ($text, $file) = @ARGV;
my $image = GD::SecurityImage->new(width => 160, height => 60, lines => 10, gd_font => 'giant');
$image->random($text)->create(normal => 'default', [60, 60, 60], [160, 160, 160])->particle(300);
my ($data) = $image->out(force => 'png');
open my $out, '>:raw', $file or die "$file: $!";
print {$out} $data;
close $out or die "$file: $!";
