<?php
// Draw labelled pictures with Gregwar/Captcha (Debian: php-gregwar-captcha) and its defaults:
// php draw_gregwar.php COUNT SEED FOLDER
require_once 'Gregwar/Captcha/autoload.php';

[, $count, $seed, $folder] = $argv;
mt_srand((int) $seed);  // the package draws from mt_rand and rand, which are one generator
for ($number = 0; $number < $count; $number++) {
    $builder = new Gregwar\Captcha\CaptchaBuilder();
    $builder->build();
    $file = sprintf('%s/%06d_%s.png', $folder, $number, $builder->getPhrase());
    imagepng(imagecreatefromstring($builder->get()), $file);  // which the package gives as JPEG
}
