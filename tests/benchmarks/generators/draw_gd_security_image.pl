#!/usr/bin/perl
# Draw labelled pictures with GD::SecurityImage (Debian: libgd-securityimage-perl):
# perl draw_gd_security_image.pl COUNT SEED FOLDER
use strict;
use warnings;
use GD::SecurityImage;

my ($count, $seed, $folder) = @ARGV;
srand $seed;
for my $number (0 .. $count - 1) {
    my $text = join '', map { int rand 10 } 1 .. 6;
    my $image = GD::SecurityImage->new(width => 160, height => 60, lines => 10, gd_font => 'giant');
    $image->random($text)->create(normal => 'default', [60, 60, 60], [160, 160, 160])->particle(300);
    my ($data) = $image->out(force => 'png');
    my $file = sprintf '%s/%06d_%s.png', $folder, $number, $text;
    open my $out, '>:raw', $file or die "$file: $!";
    print {$out} $data;
    close $out or die "$file: $!";
}
